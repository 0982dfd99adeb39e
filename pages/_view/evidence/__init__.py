"""What the Evidence page asks and draws."""
