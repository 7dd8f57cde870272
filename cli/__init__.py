"""The console command ``hebbware``, one module per subcommand."""
