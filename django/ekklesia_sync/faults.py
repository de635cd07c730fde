import os
import traceback


def fault_of(problem):
    """The kind of an exception and where it was raised. Its text may quote what was read: PostgreSQL's does."""
    frames = traceback.extract_tb(problem.__traceback__)
    return '{} at {}'.format(type(problem).__name__, ', '.join(
        '{}:{}'.format(os.path.basename(frame.filename), frame.lineno) for frame in reversed(frames[-3:])))
