{{ partners('store', 'customer') }}
