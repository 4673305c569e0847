// DatasetFormat
