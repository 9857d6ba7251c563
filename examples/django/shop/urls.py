from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path

from shop.models import Product


def products(request):
    return render(request, "shop/products.html", {"products": Product.objects.order_by("name")})


def health(request):
    Product.objects.exists()
    return HttpResponse("ok\n", content_type="text/plain")


urlpatterns = [path("", products), path("healthz", health)]
