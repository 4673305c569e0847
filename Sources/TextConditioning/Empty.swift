// TextConditioning
