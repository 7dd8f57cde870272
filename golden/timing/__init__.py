"""The clock of all that the core puts out or writes."""
