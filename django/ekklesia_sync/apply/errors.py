class ChangeError(Exception):
    """A portal change that cannot be applied. `code` is stable; the message names paths, never values.

    malformed, unknown_member, unknown_path, not_writable, invalid_value, unknown_address,
    address_unsupported, change_id_reused, action_not_allowed, already_exists, internal
    """

    def __init__(self, code, message):
        super(ChangeError, self).__init__(message)
        self.code = code
