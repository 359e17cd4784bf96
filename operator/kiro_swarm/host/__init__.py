"""The operator process: its parts, and the one place that knows all of them.

``operator`` lists the parts and runs them; ``part`` says what a part is and how parts are
started, watched over and stopped. Each other module is one part.
"""
