"""Tables over a set of images, with intervals, controls and corrected tests."""
