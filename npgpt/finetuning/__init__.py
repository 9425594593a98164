"""Fine-tuning: a trained model learns to answer."""
