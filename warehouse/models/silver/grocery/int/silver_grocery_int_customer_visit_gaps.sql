{{ visit_gaps('customer') }}
