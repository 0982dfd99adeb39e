"""Who sees: classifiers, references, the vocabulary, and the bench that has them at hand."""
