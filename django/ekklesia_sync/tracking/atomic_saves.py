"""Makes `save()` one transaction together with its signals.

Outside `atomic`, Django commits the row and only then sends post_save: an outbox row written there
would be a second transaction, lost if the process dies between the two. `delete()` and many-to-many
changes are already one transaction with their signals; `save_base` is the one place that is not.
"""
import functools

from django.db import router, transaction

from ekklesia_sync.tracking.lock import begin_writing
from ekklesia_sync.tracking.members import outbox_database

_MARK = '_ekklesia_sync_atomic'


def make_saves_atomic(model):
    """Wraps the model's `save_base` once. An open transaction is joined, without a savepoint."""
    if model.__dict__.get(_MARK):
        return
    original = model.save_base

    @functools.wraps(original)
    def save_base(self, *args, **kwargs):
        using = kwargs.get('using') or router.db_for_write(self.__class__, instance=self)
        with transaction.atomic(using=using, savepoint=False):
            if using == outbox_database():
                begin_writing(using)
            return original(self, *args, **kwargs)

    model.save_base = save_base
    setattr(model, _MARK, True)
