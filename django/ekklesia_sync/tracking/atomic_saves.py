"""Makes every save of a tracked model one transaction together with its event.

Outside `atomic`, Django commits the row and only then sends post_save: an outbox row written there
would be a second transaction, lost if the process dies between the two. `delete()` and many-to-many
changes are already one transaction with their signals; a save is not.

`Model.save_base` is the one place that every save passes: `save()`, and `DeserializedObject.save()`
(fixtures, `serializers.deserialize`), which calls it on `Model` itself and so misses a subclass's own.

For the table that Django makes for a many-to-many field it sends no signals at all, so whoever watches
such a table is called from here, as the admin's inline and `through.objects.create()` need it.
"""
import functools

from django.db import models, router, transaction

from ekklesia_sync.tracking.lock import begin_writing
from ekklesia_sync.tracking.members import outbox_database

_MARK = '_ekklesia_sync_tracked'
# model → {name: handler}; the handlers of automatic tables, which no signal calls.
_tracked = {}


def make_saves_atomic(model):
    """Each save of this model is a transaction from now on. An open one is joined, without a savepoint."""
    _tracked.setdefault(model, {})
    _wrap(models.Model, 'save_base', '_save')


def watch_links(model, name, handler):
    """Calls the handler around each save and delete of a row of an automatic table."""
    make_saves_atomic(model)
    _tracked[model][name] = handler
    _wrap(model, 'delete', '_delete')


def _wrap(owner, method, moment):
    """Wraps a method of the class itself, once."""
    original = getattr(owner, method)
    if getattr(original, _MARK, None) is owner:
        return

    @functools.wraps(original)
    def wrapped(self, *args, **kwargs):
        handlers = _tracked.get(type(self))
        if handlers is None:
            return original(self, *args, **kwargs)
        using = kwargs.get('using') or router.db_for_write(self.__class__, instance=self)
        with transaction.atomic(using=using, savepoint=False):
            watching = handlers.values() if using == outbox_database() else ()
            if using == outbox_database():
                begin_writing(using)
            for handler in watching:
                getattr(handler, 'pre' + moment)(instance=self, using=using)
            result = original(self, *args, **kwargs)
            for handler in watching:
                getattr(handler, 'post' + moment)(instance=self, using=using)
            return result

    setattr(wrapped, _MARK, owner)
    setattr(owner, method, wrapped)
