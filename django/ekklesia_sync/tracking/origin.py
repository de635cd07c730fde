"""Who is writing: the registry itself, or a portal change that is being applied."""
import threading
from contextlib import contextmanager

from ekklesia_sync.models import MemberSyncQueue

_current = threading.local()


@contextmanager
def two_way(change_id):
    """Marks the outbox rows written inside as the portal's own edit."""
    _current.value = (MemberSyncQueue.TWO_WAY, change_id)
    try:
        yield
    finally:
        _current.value = None


def current_origin():
    """(origin, change_id) for a new outbox row."""
    return getattr(_current, 'value', None) or (MemberSyncQueue.REGISTRY, '')
