"""Pictures found through the classifier itself: no training, any backbone."""
