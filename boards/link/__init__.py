"""The gateware between a UART and the core."""
