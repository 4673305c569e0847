// LatentDiffusion
