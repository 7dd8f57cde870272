"""What configurations are made of: tables with checks, TOML files, presets."""
