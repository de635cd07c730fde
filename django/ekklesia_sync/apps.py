from django.apps import AppConfig


class EkklesiaSyncConfig(AppConfig):
    name = 'ekklesia_sync'
    verbose_name = 'Member sync'
    default_auto_field = 'django.db.models.AutoField'

    def ready(self):
        from ekklesia_sync import checks  # noqa: F401  registers the system checks
        from ekklesia_sync.delivery import background
        from ekklesia_sync.tracking import signals
        from ekklesia_sync.sections import mapping_is_usable

        # A mapping that does not fit the models is reported by `manage.py check` with a remedy;
        # raising here would hide that report behind a traceback.
        if mapping_is_usable():
            signals.connect()
        background.connect()
