{{ products_bought('customer') }}
