// Replaced by the flag stores.
