from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("demo_lms", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="emailaddress",
            name="digest",
            field=models.CharField(db_index=True, default="", editable=False, max_length=64),
            preserve_default=False,
        ),
    ]
