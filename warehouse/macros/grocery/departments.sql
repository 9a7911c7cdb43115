{# The departments of gold, by source; seeds/grocery/bronze_grocery_departments.csv maps to them.
   Without a source: those of every source, each once. #}
{% macro grocery_departments(source=none) -%}
    {%- set by_source = {
        'complete_journey': [
            'grocery', 'drug_and_general', 'produce', 'meat', 'packaged_meat', 'deli', 'bakery',
            'nutrition', 'seafood', 'floral', 'cosmetics', 'prepared_food', 'spirits', 'fuel',
            'other',
        ],
        'sort_of_real': [
            'd00001', 'd00002', 'd00003', 'd00004', 'd00005', 'd00006', 'd00007', 'd00008',
            'd00009', 'other',
        ],
    } -%}
    {%- if source -%}
        {{ return(by_source[source]) }}
    {%- endif -%}
    {%- set all = [] -%}
    {%- for departments in by_source.values() -%}
        {%- for department in departments if department not in all -%}
            {%- do all.append(department) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(all) }}
{%- endmacro %}
