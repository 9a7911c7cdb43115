{{ basket_habits('store') }}
