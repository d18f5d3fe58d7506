"""The report: metrics and plots for git, and one HTML page that opens from disk."""
