"""What one transaction has recorded so far.

The memo lives in the connection's own list of on-commit callbacks, so its life is exactly the
transaction's: the commit runs it, a rollback (also of the savepoint that made it) drops it. A
thread-local of our own would outlive a rollback and merge a change into another transaction's row.
"""
from django.db import connections, transaction
from django.dispatch import Signal

# Sent once for each committed transaction that wrote to the outbox: delivery waits for it.
outbox_committed = Signal()


class TransactionMemo(object):
    def __init__(self, using):
        self.using = using
        self.rows = {}      # kennitala → id of this transaction's outbox row
        self.before = {}    # (sender, section, member pk) → value before a many-to-many change

    def __call__(self):
        outbox_committed.send(sender=TransactionMemo)


def transaction_memo(using):
    """The running transaction's memo. Must be called inside `transaction.atomic`."""
    connection = connections[using]
    for entry in connection.run_on_commit:
        if isinstance(entry[1], TransactionMemo):
            return entry[1]
    memo = TransactionMemo(using)
    transaction.on_commit(memo, using=using)
    return memo
