from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('university_enrollments', '0003_normalize_anew'),
    ]

    operations = [
        migrations.AddConstraint(
            model_name='learner',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('link_how', ''), ('user__isnull', True)), models.Q(('user__isnull', False), models.Q(('link_how', ''), _negated=True)), _connector='OR'), name='ue_learner_link_says_how'),
        ),
    ]
