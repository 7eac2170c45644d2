from .course_enrollment import *  # noqa: F403
from .user import *  # noqa: F403
