"""Photos' files: fetched patiently, looked at, and freed of what they tell about people."""
