{{ partners('customer', 'store') }}
