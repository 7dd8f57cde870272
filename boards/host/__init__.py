"""The program's side of the link."""
