{{ diversity('customer') }}
