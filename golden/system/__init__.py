"""Child processes, folders, files."""
