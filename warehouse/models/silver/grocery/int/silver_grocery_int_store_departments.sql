{{ kinds_bought('store', 'department') }}
