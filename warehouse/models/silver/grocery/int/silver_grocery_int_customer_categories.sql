{{ kinds_bought('customer', 'category_id') }}
