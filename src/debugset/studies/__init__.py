"""Studies with people: can they tell what a layer does from the pictures of its features?"""
