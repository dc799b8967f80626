"""A server that speaks the protocol of the Hugging Face Hub over loopback, for tests."""
