import os
import sys

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [HERE, os.path.dirname(HERE), os.path.join(os.path.dirname(HERE), 'tests')]
os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'old_registry.settings')

from django.core.wsgi import get_wsgi_application  # noqa: E402

application = get_wsgi_application()
