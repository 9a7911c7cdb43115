{{ products_bought('store') }}
