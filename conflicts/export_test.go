package conflicts

// MaxCells is for the test at this limit and one past it.
const MaxCells = maxCells
