{{ basket_habits('customer') }}
