package fcm

// MaxAtOnce is for a test at the limit.
const MaxAtOnce = maxAtOnce
