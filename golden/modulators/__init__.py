"""What hidden layers learn by."""
