from django.dispatch import Signal

USER_RETIRE_LMS_MISC = Signal()
