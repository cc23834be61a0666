package migrations

// UpSteps is Up with other steps.
var UpSteps = up
