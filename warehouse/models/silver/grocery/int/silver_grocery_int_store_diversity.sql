{{ diversity('store') }}
