"""Pictures of features and embeddings: illustrations, never evidence. One Protocol for all."""
