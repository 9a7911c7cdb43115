{{ kinds_bought('customer', 'department') }}
