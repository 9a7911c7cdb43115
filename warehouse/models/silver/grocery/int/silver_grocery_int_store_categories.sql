{{ kinds_bought('store', 'category_id') }}
