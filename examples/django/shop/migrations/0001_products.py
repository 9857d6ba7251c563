from django.db import migrations, models


def first_products(apps, schema_editor):
    product = apps.get_model("shop", "Product")
    for name in ("Difference engine", "Compiler"):
        product.objects.create(name=name)


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel(
            name="Product",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                ("name", models.CharField(max_length=100, unique=True)),
            ],
        ),
        migrations.RunPython(first_products, migrations.RunPython.noop),
    ]
