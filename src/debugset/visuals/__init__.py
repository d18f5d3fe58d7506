"""Pictures of what a feature sees: where it looks, and what images become when it is raised."""
