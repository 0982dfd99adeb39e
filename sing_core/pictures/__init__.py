"""What a feature looks like: illustration, never evidence."""
