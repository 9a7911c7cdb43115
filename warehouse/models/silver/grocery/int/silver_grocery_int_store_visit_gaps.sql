{{ visit_gaps('store') }}
