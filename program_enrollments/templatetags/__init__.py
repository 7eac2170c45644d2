"""Template tags that hosts may use in their own templates."""
