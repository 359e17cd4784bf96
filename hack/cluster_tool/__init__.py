"""The implementation of ``hack/cluster``; needs nothing but Python 3.9 and Linux."""
