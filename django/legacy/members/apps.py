from django.apps import AppConfig
from django.conf import settings


class MembersConfig(AppConfig):
    name = 'members'

    def ready(self):
        if not settings.COMPANION:
            from members import webhook
            webhook.connect()
